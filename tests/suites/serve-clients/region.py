"""Prints the region that botocore takes from the instance metadata service."""

import botocore.session
from botocore.utils import IMDSRegionProvider

print(IMDSRegionProvider(botocore.session.Session()).provide())
