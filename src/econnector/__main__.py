"""`python -m econnector` is the command `econnector`."""

from econnector.cli.main import main

if __name__ == "__main__":
    main()
