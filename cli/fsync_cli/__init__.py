"""The command line: it reads arguments, calls the library, and tells its reports. No other logic."""
