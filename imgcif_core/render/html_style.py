"""The style of the page: screen wide and narrow, light and dark, and paper."""

from base64 import b64encode
from hashlib import sha256

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#4c5560;--ground:#fff;--panel:#f4f6f8;--line:#c9d0d8;
--a:#a3141f;--b:#8a4b00;--c:#1a5a96;--g:#4c5560;--ok:#17663a;--mark:#ffe9a8;--link:#0b57a4;
--beam:#b35900;--axis:#6b2fa0;--fast:#a3141f;--slow:#17663a;--gravity:#4c5560;--tile:#dfe6ee}
@media (prefers-color-scheme:dark){:root{--ink:#e7eaee;--soft:#aab3bd;--ground:#14181d;--panel:#1d232a;--line:#3b444e;
--a:#ff8d8d;--b:#f0b35c;--c:#86bdf5;--g:#aab3bd;--ok:#7fd6a3;--mark:#5b4a12;--link:#8cc0ff;
--beam:#ffb35c;--axis:#cfa4ff;--fast:#ff8d8d;--slow:#7fd6a3;--gravity:#aab3bd;--tile:#2b3541}}
*{box-sizing:border-box}
body{font:15px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;max-width:62rem;margin:0 auto;padding:1rem;
color:var(--ink);background:var(--ground)}
h1{font-size:1.35rem;margin:.2em 0}h2{font-size:1.12rem;margin:1.2em 0 .3em}h3{font-size:1rem;margin:1em 0 .3em}
section.file>h1,section.file>h2:first-child{border-bottom:2px solid var(--line)}
h4{font-size:.95rem;margin:.8em 0 .2em}article h3,article h4{font-size:.95rem;margin:0}
h1,h2,h3,h4,p,li,td,dd,th,figcaption{overflow-wrap:anywhere}p{margin:.4em 0}a{color:var(--link)}
small,.soft{color:var(--soft);font-size:.88em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.5em 0;font-size:.92em}
caption{text-align:left;font-weight:600;padding:.2em 0}
th,td{border-bottom:1px solid var(--line);padding:.3em .5em;text-align:left;vertical-align:top}
thead th{background:var(--panel)}td.n,th.n{text-align:right;white-space:nowrap}
.verdict{border:1px solid var(--line);border-left:.6rem solid var(--a);background:var(--panel);padding:.6rem .9rem;
margin:.6rem 0;font-size:1.05rem}
.verdict.yes{border-left-color:var(--ok)}.verdict.open{border-left-color:var(--b)}.verdict p{margin:.15em 0}
dl.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(21rem,1fr));gap:.1rem 1.4rem;margin:.6rem 0}
dl.facts div{display:grid;grid-template-columns:7.5rem 1fr;gap:.5rem;border-bottom:1px solid var(--line);
padding:.15rem 0}
dl.facts.one{grid-template-columns:1fr}
thead th,td.short{white-space:nowrap}table.asked th{white-space:nowrap;width:1%;font-weight:400;color:var(--soft)}
dt{color:var(--soft)}dd{margin:0}
.level{display:inline-block;min-width:1.5em;text-align:center;font-weight:700;border:2px solid;border-radius:.2em;
padding:0 .25em;margin-right:.4em;line-height:1.35}
.level.A{color:var(--ground);background:var(--a);border-color:var(--a)}.level.B{color:var(--b);border-color:var(--b)}
.level.C{color:var(--c);border-color:var(--c);border-style:dashed}
.level.G{color:var(--g);border-color:var(--g);border-style:dotted}
article{border:1px solid var(--line);border-left:.35rem solid var(--g);padding:.5rem .8rem;margin:.6rem 0}
article.A{border-left-color:var(--a)}article.B{border-left-color:var(--b);border-left-style:double}
article.C{border-left-color:var(--c);border-left-style:dashed}article.G{border-left-style:dotted}
article ol{padding-left:1.4rem;margin:.4rem 0}article li{margin:.35rem 0}
pre{margin:.3em 0;overflow-x:auto;background:var(--panel);padding:.3em .5em;font:.86em/1.35 ui-monospace,monospace}
pre.passport{font-size:.76em}
mark{background:var(--mark);color:inherit;text-decoration:underline}
.remedy b,.who b,.reply b{color:var(--soft);font-weight:600}
details{margin:.35em 0}summary{cursor:pointer;color:var(--link)}
.reply{border:1px dashed var(--soft);padding:.3rem .6rem;margin:.4rem 0}
textarea{width:100%;min-height:3.2em;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--soft)}
.drawings{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.8rem;margin:.6rem 0}
figure{margin:0;min-width:0}figcaption{font-size:.86em;color:var(--soft)}figcaption b{color:var(--ink)}
svg{width:100%;height:auto;display:block}svg svg{width:auto;height:auto}
.ground{fill:var(--panel);stroke:var(--line)}
.panel{fill:var(--tile);fill-opacity:.45;stroke:var(--ink);stroke-width:1;vector-effect:non-scaling-stroke}
.ring{fill:none;stroke:var(--c);stroke-width:1;stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
line,circle{stroke-width:1.6;fill:none}
line.beam,circle.beam{stroke:var(--beam)}line.axis,circle.axis{stroke:var(--axis)}
line.gravity,circle.gravity{stroke:var(--gravity);stroke-dasharray:3 2}
line.fast,circle.fast{stroke:var(--fast);stroke-width:2.4}line.slow,circle.slow{stroke:var(--slow);stroke-width:2.4}
.head{stroke:none}.head.beam{fill:var(--beam)}.head.axis{fill:var(--axis)}.head.gravity{fill:var(--gravity)}
.head.fast{fill:var(--fast)}.head.slow{fill:var(--slow)}
svg text{font-size:10.5px;text-anchor:middle;fill:var(--ink);paint-order:stroke;stroke:var(--panel);stroke-width:3px;
stroke-linejoin:round}
text.beam{fill:var(--beam)}text.axis{fill:var(--axis)}text.fast{fill:var(--fast)}text.slow{fill:var(--slow)}
text.gravity{fill:var(--gravity)}text.spacing{fill:var(--c)}text.bar{text-anchor:start}
circle.sample{fill:var(--ink);stroke:none}.cross{stroke:var(--beam);stroke-width:1.8;fill:none}
.cross.halo{stroke:var(--panel);stroke-width:4.5}.bar{stroke:var(--ink);fill:none}.triad{stroke:var(--soft);fill:none}
text.bar,text.triad{stroke:var(--panel);fill:var(--ink)}
.spot{fill:none;stroke:var(--c);stroke-width:1}.spot.again{stroke:var(--ok);stroke-width:4;stroke-linecap:round}
.spot.off{stroke:var(--a);stroke-width:1.5}
footer{margin-top:2rem;border-top:2px solid var(--line);font-size:.88em;color:var(--soft)}
@media (max-width:34rem){body{padding:.6rem}dl.facts{grid-template-columns:1fr}table.asked th{white-space:normal;
width:40%}dl.facts div{grid-template-columns:6rem 1fr}
table.stack,table.stack tbody,table.stack tr,table.stack td{display:block}table.stack thead{position:absolute;
left:-99rem}
table.stack tr{border-bottom:1px solid var(--line);padding:.3rem 0}table.stack td{border:0;padding:.1rem .3rem}
table.stack td.n{text-align:left}
table.stack td[data-head]:not(:empty)::before{content:attr(data-head) ": ";color:var(--soft)}}
@media print{@page{size:A4;margin:14mm}
:root{color-scheme:light;--ink:#000;--soft:#444;--ground:#fff;--panel:#f6f6f6;--line:#bbb;--a:#a3141f;--b:#8a4b00;
--c:#1a5a96;--g:#444;--ok:#17663a;--mark:#ffe9a8;--link:#000;--beam:#b35900;--axis:#6b2fa0;--fast:#a3141f;
--slow:#17663a;--gravity:#444;--tile:#dfe6ee}
body{max-width:none;padding:0;font-size:9.5pt;line-height:1.32}h1{font-size:14pt}h2{font-size:12pt;margin:1em 0 .3em}
article,figure,tr,.verdict,.reply{break-inside:avoid}h2,h3,h4{break-after:avoid}thead{display:table-header-group}
pre{white-space:pre-wrap;overflow:visible}a{text-decoration:none}details:not([open]){display:none}
.level.A,.verdict,.panel,mark{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.drawings{grid-template-columns:repeat(3,1fr);gap:.4rem}.drawings.two{grid-template-columns:repeat(2,1fr)}
.drawings.two svg{max-height:64mm}.drawings.two svg svg{max-height:none}textarea{min-height:8mm;height:8mm}
dl.facts{grid-template-columns:1fr 1fr;margin:.3rem 0}dl.facts.one{grid-template-columns:1fr}
dl.facts div{grid-template-columns:5.2rem 1fr}.verdict{font-size:10.5pt;padding:.3rem .7rem;margin:.3rem 0}
h3{margin:.7em 0 .2em}th,td{padding:.15em .4em}article{padding:.25rem .6rem;margin:.35rem 0}
article p,article pre,.reply{margin:.15em 0}.remedy,.who{display:inline;margin-right:1em}pre.passport{font-size:6.6pt}
section.file+section.file{break-before:page}
.onscreen{display:none}}
@media (prefers-reduced-motion:reduce){*{transition:none!important;animation:none!important}}
"""
# What a page that allows no inline style but this one puts into its policy.
STYLE_SOURCE = f"'sha256-{b64encode(sha256(STYLE.encode('ascii')).digest()).decode('ascii')}'"
