"""What operators see: logs, metrics, traces and health; nothing here decides, and nothing waits for it."""
