"""The LightningModule, its data, its callbacks and its phases."""
