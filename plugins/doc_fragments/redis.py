# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that every Redis module shares."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description:
      - Host that Redis listens on.
    type: str
    default: 127.0.0.1
  login_port:
    description:
      - Port that Redis listens on, V(1) to V(65535).
    type: int
    default: 6379
  login_user:
    description:
      - ACL user to log in as. Without it Redis takes its user C(default).
    type: str
  login_password:
    description:
      - Password of O(login_user).
    type: str
  login_password_file:
    description:
      - File on the host that runs the module, whose first line is the password, in place of O(login_password). So the
        password stands in no inventory and on no command line.
    type: path
    version_added: 0.1.0
  login_unix_socket:
    description:
      - Path of the Unix socket. It takes precedence over O(login_host) and O(login_port).
    type: path
  tls:
    description:
      - Whether to talk TLS.
    type: bool
    default: false
  validate_certs:
    description:
      - Whether the server's certificate must be valid and be for O(login_host).
    type: bool
    default: true
  ca_certs:
    description:
      - File with the certificate authorities to verify the server against. Without it the system's count.
    type: path
requirements:
  - redis >= 4.1 (Debian package C(python3-redis)) on the host that runs the module
  - Redis 6.2 to 8
attributes:
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: posix
"""
