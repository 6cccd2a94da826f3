# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a report's page looks: light and dark, on a telephone and on paper."""

from __future__ import annotations

_LIGHT = """
  --paper: #ffffff; --ink: #1c2128; --soft: #57606a; --line: #d5dae0; --stripe: #f5f7f9; --link: #0a58a6;
  --series-0: #2f6db3; --series-1: #2a9d78; --series-2: #c77d1e;
"""
_DARK = """
  --paper: #14181d; --ink: #e3e8ee; --soft: #a3adb8; --line: #343c46; --stripe: #1b2027; --link: #79b8ff;
  --series-0: #5c9ee8; --series-1: #4cc29b; --series-2: #e3a24d;
"""

CSS = f"""
:root {{{_LIGHT}}}
@media (prefers-color-scheme: dark) {{ :root {{{_DARK}}} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }}
main {{ max-width: 70rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }}
h2 {{ font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }}
h3 {{ font-size: 1.05rem; margin: 1.75rem 0 .5rem; }}
p, ul {{ margin: .5rem 0; max-width: 52rem; }}
header p, section > p {{ color: var(--soft); }}
code {{ font: .87em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }}
a {{ color: var(--link); }}
nav ul {{ display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; margin: 1rem 0 0; padding: 0; }}
table {{ border-collapse: collapse; width: 100%; margin: .75rem 0; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }}
th {{ font-weight: 600; }}
thead th {{ color: var(--soft); vertical-align: bottom; overflow-wrap: normal; }}
tbody th {{ font-weight: 500; }}
tbody tr:nth-child(even) {{ background: var(--stripe); }}
.number {{ text-align: right; }}
td.number {{ white-space: nowrap; }}
td:not(.number) {{ min-width: 7.5rem; }}
figure {{ margin: 1rem 0; }}
figcaption {{ display: flex; flex-wrap: wrap; gap: 0 1.5rem; color: var(--soft); margin-bottom: .5rem; }}
.legend {{ display: flex; flex-wrap: wrap; gap: 0 1rem; list-style: none; margin: 0; padding: 0; }}
.legend svg {{ width: .8em; height: .8em; margin-right: .35em; }}
.bar {{ display: grid; grid-template-columns: 34% 1fr 6rem; gap: .75rem; align-items: center; }}
.bar + .bar {{ margin-top: .3rem; }}
.bar > svg {{ display: block; width: 100%; height: 1rem; background: var(--stripe); }}
.bar > .value {{ text-align: right; font-variant-numeric: tabular-nums; }}
.s0 {{ fill: var(--series-0); }}
.s1 {{ fill: var(--series-1); }}
.s2 {{ fill: var(--series-2); }}

/* On a telephone each row is a card, and each cell says its column. */
@media screen and (max-width: 46rem) {{
  thead {{ position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }}
  table, tbody {{ display: block; }}
  tr {{ display: flex; flex-direction: column; padding: .5rem .6rem; border-bottom: 1px solid var(--line); }}
  tbody th, td {{ display: block; padding: .1rem 0; border: 0; }}
  tbody th {{ font-weight: 600; }}
  td {{ display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: .75rem; }}
  /* What begins with numbers ends with what they are about. */
  tr:not(:has(th)) td:last-child {{ order: -1; }}
  td:not(.number) {{ min-width: 0; }}
  td::before {{ content: attr(data-column); color: var(--soft); }}
  td.number {{ text-align: left; white-space: normal; }}
  .bar {{ grid-template-columns: minmax(0, 1fr) auto; gap: 0 .75rem; }}
  .bar > svg {{ grid-column: 1 / -1; grid-row: 2; }}
  .bar + .bar {{ margin-top: .6rem; }}
}}

@media print {{
  :root {{{_LIGHT}}}
  @page {{ margin: 15mm; }}
  body {{ font-size: 9.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  main {{ max-width: none; padding: 0; }}
  nav {{ display: none; }}
  h2, h3 {{ break-after: avoid; }}
  tr, .bar, figcaption {{ break-inside: avoid; }}
  thead {{ display: table-header-group; }}
  .bar {{ grid-template-columns: 14rem 1fr 6rem; }}
}}
"""
