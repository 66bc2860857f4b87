"""`python -m datacore` is the same as `datacore`."""

from datacore.cli import main

if __name__ == "__main__":
    main()
