"""`python -m nsm`."""

from nsm.cli import main

main()
