# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How alerts leave the host. The only package of the agent that talks to mail servers, webhooks, programs and syslog.

deliver.deliver(channels, message, place, valid_seconds, seconds_left) -> {name of the channel: None, or why it failed}
deliver.refresh(channels, standing, place, now, valid_seconds, seconds_left) -> the same, of Alertmanager's channels
    channels: of _alerts.channels.read. Both return within seconds_left (and the half second that an attempt may take
    to notice its end), and never raise because of a channel.

attempt     one try, which is over when its time is; Failure says why, and whether another try may help
connection  sockets for http and smtp, verified, and their errors in words
program     what sendmail and command share
"""
