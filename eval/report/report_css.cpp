// Style sheet of the page; colours are variables from palette.cpp.

#include "eval/report/page.h"

namespace switchyard {

std::string report_css() {
  return R"css(
*{box-sizing:border-box}
html{scroll-padding-top:56px}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Inter,"Noto Sans","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
[hidden]{display:none!important}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.bar{position:sticky;top:0;z-index:5;display:flex;align-items:center;gap:20px;height:48px;padding:0 28px;background:var(--panel);border-bottom:1px solid var(--rule)}
.bar nav{display:flex;gap:18px}.bar nav a{color:var(--ink2)}.grow{flex:1}
button{font:inherit;font-size:13px;color:var(--ink2);background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:3px 10px;cursor:pointer}
.slider{display:flex;align-items:center;gap:10px;color:var(--ink2);font-size:13px}.slider input{accent-color:var(--accent);width:130px}
.slider output{font-weight:650;color:var(--ink);min-width:56px}
main{max-width:1320px;margin:0 auto;padding:14px 28px 40px}
.title{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 14px;margin-bottom:10px}
h1{font-size:24px;line-height:1.3;margin:0;font-weight:700}.sub{color:var(--ink2);font-size:13px}
.badge{background:var(--tint);color:var(--unseen);font-size:12.5px;padding:1px 8px;border-radius:4px}
.answers{display:grid;grid-template-columns:1fr 1fr;gap:16px;margin-bottom:14px}
.answer{border-left:3px solid var(--accent);padding:0 0 0 15px}
.answer h2{font-size:13px;font-weight:650;color:var(--ink3);margin:0 0 2px}.answer p{margin:0;font-size:15.5px;line-height:1.5}
.chip{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:4px}
.nb{white-space:nowrap}
h2.section{font-size:18px;margin:26px 0 10px;break-after:avoid}
.cards{display:grid;grid-template-columns:repeat(12,minmax(0,1fr));gap:16px}
.card{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:14px 18px 10px;display:flex;flex-direction:column;break-inside:avoid;min-width:0}
.span12{grid-column:span 12}.span8{grid-column:span 8}.span6{grid-column:span 6}.span4{grid-column:span 4}
h3{font-size:15px;font-weight:650;margin:0 0 4px;display:flex;align-items:center;flex-wrap:wrap;gap:4px 10px;min-height:28px}
.no{color:var(--ink3);font-weight:400;font-size:13px}
.views{margin-left:auto;display:inline-flex}.views button{border-radius:0;margin-left:-1px;font-weight:400}
.views button:first-child{border-radius:6px 0 0 6px}.views button:last-child{border-radius:0 6px 6px 0}
.views button[aria-pressed=true]{background:var(--band);color:var(--accent);font-weight:650}
.reading,.finding,.note{font-size:13px;margin:0 0 8px;color:var(--ink2);max-width:92ch}.finding,.note{color:var(--ink)}
.plot{display:flex;flex-wrap:wrap;gap:10px 8px;align-items:flex-start}.plot svg{max-width:100%;height:auto;display:block}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:12.5px;color:var(--ink2);margin:8px 0 0}
.empty{color:var(--ink2);margin:6px 0}pre{font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--bg);border:1px solid var(--rule);border-radius:6px;padding:8px 10px;margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere}
.card footer{display:flex;align-items:baseline;gap:14px;margin-top:auto;padding-top:10px;font-size:12.5px;color:var(--ink2)}
.card details{flex:1;min-width:0}.card details p{margin:6px 0 2px;max-width:92ch}summary{cursor:pointer}
.sample{text-align:right}.links{display:inline-flex;gap:9px}
table{border-collapse:collapse;font-size:13px;width:100%}td,th{text-align:left;padding:3px 12px 3px 0;border-bottom:1px solid var(--grid);vertical-align:top;overflow-wrap:anywhere}
th{font-weight:650;color:var(--ink2);white-space:nowrap}td.missing{color:var(--warn)}
.notes{color:var(--ink3);font-size:12.5px;margin-top:20px}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--panel);font-size:12.5px;padding:3px 8px;border-radius:4px;max-width:320px}
.viewer{position:relative;border:1px solid var(--rule);border-radius:6px;overflow:hidden;background:var(--bg)}
.viewer svg{display:block;width:100%;height:auto}.viewer canvas{position:absolute;inset:0;width:100%;height:100%}
.viewer .hint{position:absolute;left:10px;bottom:6px;font-size:12px;color:var(--ink3)}
svg [data-tip]:hover{stroke:var(--ink);stroke-width:1}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media(max-width:1100px){.card{grid-column:span 12!important}.answers{grid-template-columns:1fr}}
@media print{.bar,.links,.views,button,.viewer canvas,.hint{display:none!important}body{background:#fff}main{max-width:none;padding:0}.card{border-color:#ccc}}
)css";
}

}  // namespace switchyard
