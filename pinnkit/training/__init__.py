"""The LightningModule and its parts, its data, its stages, its callbacks and checkpoints."""
