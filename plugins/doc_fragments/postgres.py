# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that every PostgreSQL module shares; names as in community.postgresql."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description:
      - Host that PostgreSQL listens on. Empty uses the Unix socket.
    type: str
    default: ""
  login_port:
    description:
      - Port that PostgreSQL listens on; with a Unix socket, the number in the socket's name.
    type: int
    default: 5432
  login_user:
    description:
      - PostgreSQL role to connect as.
    type: str
    default: postgres
  login_password:
    description:
      - Password of O(login_user). Better left out, with peer authentication or a C(pgpass) file.
    type: str
  login_db:
    description:
      - Database to connect to.
    type: str
    default: postgres
  login_unix_socket:
    description:
      - Directory of the Unix socket. Empty uses libpq's default.
    type: path
  ssl_mode:
    description:
      - How hard to insist on TLS, as libpq's C(sslmode).
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
    default: prefer
  ca_cert:
    description:
      - File with the certificate authorities to verify the server against.
    type: path
  service:
    description:
      - Name of a section in a libpq service file. Options that are not given come from there.
      - Options that are given take precedence over the section.
    type: str
  connect_params:
    description:
      - More connection parameters for libpq, for example C(passfile). They take precedence over all other options.
    type: dict
    default: {}
requirements:
  - psycopg2 >= 2.8 (Debian package C(python3-psycopg2)) on the host that runs the module
  - PostgreSQL 14 to 18
notes:
  - By default the module connects over the Unix socket as C(postgres), so run it with C(become_user=postgres).
attributes:
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: posix
"""
