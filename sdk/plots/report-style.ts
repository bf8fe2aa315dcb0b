// The looks of a report's page: light and dark, narrow and wide, on screen and on paper. Not here: what it says.

export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5b6670; --line: #dde2e7; --paper: #fff; --card: #f5f7f9;
  --first: #0072b2; --second: #009e73; --third: #cc79a7; --fourth: #8c6d00; --attacked: #d55e00; --unknown: #d55e0022; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --soft: #9aa6b1; --line: #333c45; --paper: #14181c;
  --card: #1c2228; --first: #56b4e9; --second: #2fc79a; --third: #e3a1c8; --fourth: #e0c14a; --attacked: #f0883e;
  --unknown: #f0883e2b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; }
p { margin: .4rem 0; max-width: 75ch; }
.soft, figcaption, dt { color: var(--soft); }
.statement { border-left: 3px solid var(--first); padding: .1rem 0 .1rem 1rem; margin: 1.2rem 0; }
.warning { border-left-color: var(--attacked); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: .7rem; margin: 1.4rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .8rem .9rem; }
.tile b { display: block; font-size: 1.45rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.tile span { color: var(--soft); font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1rem 0; font-size: .92rem; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .85em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
figure { margin: 0; }
.plots { display: grid; gap: 1.5rem; }
.plots > figure { overflow-x: auto; }
.plots svg { display: block; width: 100%; min-width: 520px; max-width: 860px; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; padding: 0; margin: .2rem 0 .4rem; list-style: none;
  font-size: .9rem; }
.legend i { display: inline-block; width: 1.7rem; margin-right: .45rem; vertical-align: .28em;
  border-top: 3px solid var(--colour); }
.legend i.dashed { border-top-style: dashed; }
.legend i.band { height: .8rem; border: 0; background: var(--colour); vertical-align: -.05em; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--wide), 1fr)); gap: .9rem; }
.images > figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem; }
.images div { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: .35rem; }
.images img { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
.images figcaption { font-size: .83rem; margin-top: .5rem; font-variant-numeric: tabular-nums; }
.images small { display: block; text-align: center; color: var(--soft); font-size: .72rem; }
.table { overflow: auto; max-height: 30rem; border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: var(--card); font-weight: 600; }
th, td { padding: .32rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th.text, td.text { text-align: left; }
tr:last-child td { border-bottom: 0; }
footer { margin-top: 3rem; font-size: .85rem; color: var(--soft); }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } }
@media print { .table { max-height: none; overflow: visible; } th { position: static; } }
`;
