"""`python -m yoto_tf.cli`"""

import sys

from yoto_tf.cli import main

if __name__ == "__main__":
    sys.exit(main())
