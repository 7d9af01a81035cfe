"""What the scripts call: train, evaluate, check; their exit codes and their messages."""
