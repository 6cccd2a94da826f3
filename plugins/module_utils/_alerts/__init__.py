# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts: what is remembered between runs, what is sent, and in which form. Pure: no Ansible, no I/O.

A run of the agent, all moments ISO 8601 in UTC as taken_at is:

    document, complaint = memory.opened(json or None)
    evaluations, checks = evaluate.evaluate_all(thresholds, readings, document["checks"])      (package _thresholds)
    document, messages = news.advance(document, thresholds, evaluations, checks, now)
    store the document
    for each message: send it by every channel, then document = delivery.delivered(document, message, outcomes, now)
    store the document

A message: id (the same when the same news is sent again), kind (change, recovery, repeat, silence over, digest, test),
state (the worst), at, alerts. An alert of it: key, kind, metric, subject, state, told (the state that was told last),
since, bad_since, worst, value, detail, reason, title, unit, direction, warn, critical, hysteresis, meaning, remedy,
attempts, error.

What is sent
- One message on a change, warning to critical and back too; one on recovery; one every repeat_seconds while it is bad.
- From digest_from alerts on, one for all.
- What no channel could deliver comes again with the next advance, as it is then. The document holds no queue but, for
  each alert, what was told last; so it cannot grow, and old news is never sent. A killed run at worst repeats.
- Silenced: nothing but the recovery of what was told before. What is still bad when a silence ends is sent then.
- The clock may be set: memory.settled says what becomes of times that are in the future.

news.standing(document), news.trial(now)
    What is bad and was told, for Alertmanager, which wants to hear it again and again; and a test.
silences.added(document, now, seconds, reason, metric=None), lifted(document, now, metric=None), seconds("2h")
    Raise SilenceError.

Forms: texts.subject, texts.body (place = texts.Place(host, database)), webhook.payload, slack.payload,
alertmanager.payload(alerts, place, now, valid_seconds), mail.mail(message, place, sender, recipients) (raises
MailError), plugin_output.report(evaluations, silences) -> (exit code, text), log_lines.lines(message, place) for
syslog.

channels.read(entries) -> (channels, problems)
    What people declare, checked as a whole: a NamedTuple for each (channel_model), and all problems at once, a sentence
    each. A channel with a problem is left out.
channel_model.shown(channel)
    What it is and where it leads to, without a secret.
"""
