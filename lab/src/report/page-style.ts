/** Style of the report page: one file, no requests, light and dark by the reader's setting, from phone to wall. */
export const PAGE_STYLE = `
:root { color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1c1b1a; --soft: #67635d; --line: #e4e0d9; --grid: #eeebe5;
  --good: #15703c; --good-bg: #e5f4ea; --bad: #b3261e; --bad-bg: #fbe9e7; --warn: #8a5a00; --warn-bg: #fdf1d8;
  --a: #3b5bdb; --b: #c2560c; --c: #0b7a75; --d: #9c36b5; --e: #6b7280; --f: #a16207; }
@media (prefers-color-scheme: dark) { :root {
  --page: #151413; --card: #1e1d1b; --ink: #efece6; --soft: #a8a29a; --line: #37342f; --grid: #2a2825;
  --good: #6fcf97; --good-bg: #17301f; --bad: #ff8a80; --bad-bg: #3a1a17; --warn: #f2c46d; --warn-bg: #35290f;
  --a: #91a7ff; --b: #ffa66b; --c: #5fd3cc; --d: #e3a0f5; --e: #9ca3af; --f: #eab95f; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; margin: 0; overflow-wrap: anywhere; text-wrap: balance; }
h1 span { display: block; font-size: .95rem; font-weight: 400; color: var(--soft); }
h3 { font-size: 1rem; margin: 20px 0 8px; }
h2 { font-size: 1.15rem; margin: 40px 0 12px; }
p { margin: 4px 0; } .soft { color: var(--soft); }
.verdict { border-radius: 14px; padding: 20px 22px; margin: 16px 0; border: 1px solid var(--line); }
.verdict strong { display: block; font-size: 2rem; line-height: 1.2; }
.verdict.good { background: var(--good-bg); } .verdict.good strong { color: var(--good); }
.verdict.bad { background: var(--bad-bg); } .verdict.bad strong { color: var(--bad); }
.verdict.warn { background: var(--warn-bg); } .verdict.warn strong { color: var(--warn); }
.stamp { display: inline-block; border: 1px solid currentColor; border-radius: 999px; padding: 0 10px; margin: 8px 6px 0 0;
  font-size: .85rem; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 10px; }
.figure, .chart, details { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.figure { padding: 10px 14px; } .figure b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.figure span { color: var(--soft); font-size: .88rem; }
.criteria { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.criterion { border: 0; border-radius: 0; border-bottom: 1px solid var(--line); margin: 0; padding: 0; } .criterion:last-child { border-bottom: 0; }
.criterion summary { display: grid; grid-template-columns: 18px minmax(0, 1fr) 76px 76px 84px minmax(0, 210px); gap: 4px 12px; padding: 10px 16px;
  align-items: baseline; font-weight: 400; list-style: none; }
.criterion summary::-webkit-details-marker { display: none; }
.criterion summary:hover { background: var(--grid); }
.criterion .mark { font-weight: 700; } .pass .mark { color: var(--good); } .fail .mark, .fail .result { color: var(--bad); }
.inconclusive .mark, .inconclusive .result { color: var(--warn); } .not-applicable { color: var(--soft); }
.criterion b { font-weight: 600; } .criterion .value { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; }
.criterion .limit { color: var(--soft); font-variant-numeric: tabular-nums; }
.criterion .value { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; } .criterion .limit { text-align: right; } .criterion .value, .criterion .limit { white-space: nowrap; }
.criterion b { font-weight: 550; } .criterion.advisory .mark, .criterion.advisory.fail .result { color: var(--warn); }
.criterion[open] { background: color-mix(in srgb, var(--grid) 45%, transparent); } .criterion:target { outline: 2px solid var(--a); outline-offset: -2px; }
.bar { align-self: center; height: 6px; border-radius: 3px; background: var(--line); overflow: hidden; display: block; } .bar.none { visibility: hidden; }
.bar i { display: block; height: 100%; background: var(--good); border-radius: 3px; } .fail .bar i { background: var(--bad); } .advisory.fail .bar i { background: var(--warn); }
.criterion p { margin: 0 16px 12px 50px; color: var(--soft); font-size: .92rem; }
.charts { display: grid; gap: 14px; grid-template-columns: repeat(2, minmax(0, 1fr)); } .chart { padding: 12px 14px 4px; margin: 0; min-width: 0; }
.chart figcaption { font-weight: 600; } .chart figcaption span { display: block; color: var(--soft); font-weight: 400; font-size: .88rem; }
.chart svg { display: block; width: 100%; height: auto; }
.tag { color: var(--soft); font-size: .8rem; border: 1px solid var(--line); border-radius: 6px; padding: 0 6px; margin-left: 6px; font-weight: 400; }
details { margin: 10px 0; padding: 10px 16px; } summary { cursor: pointer; font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
.chart small { display: block; color: var(--soft); font: .72rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; opacity: .85; }
.chart small { padding: 2px 0 8px; } .capacity { font-weight: 600; margin-top: 8px; }
.gate { display: grid; grid-template-columns: repeat(auto-fill, minmax(158px, 1fr)); gap: 8px; }
.tile { display: flex; flex-direction: column; gap: 2px; padding: 10px 12px; border: 1px solid var(--line); border-left-width: 4px; border-radius: 10px; background: var(--card);
  color: inherit; text-decoration: none; font-size: .86rem; line-height: 1.35; } .tile span { flex: 1; } .tile em { font-style: normal; color: var(--soft); }
.tile .mark { flex: none; } .tile.pass { border-left-color: var(--good); } .tile.fail { border-left-color: var(--bad); background: var(--bad-bg); } .tile.inconclusive { border-left-color: var(--warn); }
.tile.fail em { color: var(--bad); font-weight: 600; } .tile.inconclusive em { color: var(--warn); } .tile.absent, .tile.not-applicable { border-style: dashed; background: none; color: var(--soft); }
a.tile:hover { border-color: var(--a); }
.honesty { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.honesty li { display: grid; grid-template-columns: 190px minmax(0, 1fr); gap: 4px 16px; padding: 9px 16px 9px 13px; border-bottom: 1px solid var(--line); border-left: 3px solid transparent; }
.honesty li:last-child { border-bottom: 0; } .honesty li span { color: var(--soft); overflow-wrap: anywhere; } .honesty .good { border-left-color: var(--good); }
.honesty .warn { border-left-color: var(--warn); } .honesty .bad { border-left-color: var(--bad); } .honesty .bad b { color: var(--bad); }
.plain { border: 0; background: none; padding: 0; } .plain > summary { margin: 12px 0 8px; } .plain.soft > summary { font-weight: 400; font-size: .88rem; }
.tag.critical { color: var(--bad); border-color: currentColor; } .tag.warning { color: var(--warn); border-color: currentColor; } td .tag { margin: 0 4px 0 0; }
footer { margin-top: 32px; font-size: .85rem; }
@media (max-width: 640px) {
  .honesty li { grid-template-columns: minmax(0, 1fr); } .gate { grid-template-columns: repeat(2, minmax(0, 1fr)); } .verdict strong { font-size: 1.6rem; }
  main { padding: 16px 12px 48px; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .criterion summary { grid-template-columns: 16px minmax(0, 1fr) auto; padding: 10px 12px; gap: 1px 10px; }
  .criterion .limit { grid-column: 3; grid-row: 2; text-align: right; } .criterion .result { grid-column: 2; grid-row: 2; } .criterion .bar { grid-column: 2 / 4; grid-row: 3; margin-top: 5px; } .criterion .bar.none { display: none; }
  .criterion .value { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; } .criterion .limit { text-align: right; } .criterion .value, .criterion .limit { white-space: nowrap; }
.criterion b { font-weight: 550; } .criterion.advisory .mark, .criterion.advisory.fail .result { color: var(--warn); }
.criterion[open] { background: color-mix(in srgb, var(--grid) 45%, transparent); } .criterion:target { outline: 2px solid var(--a); outline-offset: -2px; }
.bar { align-self: center; height: 6px; border-radius: 3px; background: var(--line); overflow: hidden; display: block; } .bar.none { visibility: hidden; }
.bar i { display: block; height: 100%; background: var(--good); border-radius: 3px; } .fail .bar i { background: var(--bad); } .advisory.fail .bar i { background: var(--warn); }
.criterion p { margin-left: 40px; } .charts { grid-template-columns: minmax(0, 1fr); } }
@media print { .chart, .criterion { break-inside: avoid; } }
`;
