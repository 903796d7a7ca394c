"""Markup that must stay text, wherever somebody outside writes: in outputs, messages and notes, and in names."""

from __future__ import annotations

#: Each would leave a trace that TRACES finds, were it taken for more than text.
PAYLOADS = (
    "<script>hurt = 1</script>",
    "</script><script>hurt = 1</script>",
    "</textarea><img src=x onerror='hurt = 1'>",
    "</title></style><svg onload='hurt = 1'></svg>",
    "\"><input autofocus onfocus='hurt = 1'>",
    "' onmouseover='hurt = 1' x='",
    "<details open ontoggle='hurt = 1'>open</details>",
    "<iframe srcdoc='<script>parent.hurt = 1</script>'></iframe>",
    "<a href='javascript:hurt = 1'>click</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror='hurt = 1'>",
    "<base href='https://example.invalid/'>",
    "<meta http-equiv='refresh' content='0; url=https://example.invalid/'>",
    "<style>body { display: none }</style>",
    "<form action='https://example.invalid/'><button>Sign in</button></form>",
    "<div hx-get='/accounts/logout/' hx-trigger='load'></div>",
    "<template><script>hurt = 1</script></template>",
    "{{ 7|add:7 }}{% load static %}${7*7}",
    "<!-- ]]> --> &lt;b&gt; \u202e<b>",
)
#: Where a name is wanted that still fits the field.
NAME = "\"><img src=x onerror='hurt = 1'> & Sons"
#: What of it became part of a page.
TRACES = """() => [...document.querySelectorAll(
    "[onerror], [onload], [onfocus], [onmouseover], [ontoggle], [srcdoc], [hx-get='/accounts/logout/'], [src=x], base, "
    + "math, [href^='javascript:'], [http-equiv=refresh], [action^='https://example.invalid']")]
  .map((element) => element.outerHTML.slice(0, 120)).concat(globalThis.hurt ? ["a script ran"] : [])"""
