"""`python -m munet`: the command line, where the script `munet` is not on the path."""

from munet.cli import main

if __name__ == "__main__":
    main()
