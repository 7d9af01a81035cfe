"""The commands: train, check, evaluate, compare, sweep; their arguments, exit codes and messages."""
