"""A provider for tests: run as ``python tests/terraform/provider aws|google|azurerm`` by Terraform.

The vendors' providers need their clouds; this one has the same attributes and needs nothing.
"""

from __future__ import annotations

import sys

import tf.provider
from clouds import CLOUDS
from serving import Servicer
from tf.runner import run_provider

if __name__ == "__main__":
    # The runner looks the servicer up when it starts, and has no argument for it.
    tf.provider.ProviderServicer = Servicer
    run_provider(CLOUDS[sys.argv[1]](), argv=sys.argv[1:])
