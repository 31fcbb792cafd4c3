"""`python -m yoto_tf.cli`"""

import sys

from yoto_tf.cli import main

sys.exit(main())
