"""Names that somebody may give an event, a group, a city: each breaks
something, somewhere."""

NAMES = [
    "<script>document.title = 'no'</script>", '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)", "</title></table></main></body>", "<!--", "]]>",
    "&lt;b&gt; &#0; &amp", "javascript:alert(1)", "<plaintext>",
    "x" * 300, "W" * 300, "a long name of many words " * 12,
    "\u05de\u05e4\u05d2\u05e9 " * 40, "\u0644\u0642\u0627\u0621 (a) 12:30",
    "\u202egnp.exe", "\u2066 isolate that never ends", "\u200b\u200d\u2060",
    "line one\nline two\r\nline three\ttab", "   ", "",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 20,
    "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e7\U0001f1ea",
    "Z" + "\u0301\u0323\u0360" * 60, "\u0301\u0301",
    "\u2028\u2029", "\ufeffbom", "\u0001\u0008\u000b\u001f\u007f",
    "\u0080\u0085\u009f", "\ufdd0\uffff\U0001fffe",
    "\U00020000\u6f22\u5b57" * 50, "{{7*7}}${7*7}<%= 7*7 %>",
    "%s%n%x \\\"\\u003c", "quote \" and ' and ` and \u201c",
]
EVENT_IDS = ['"><script>alert(1)', "a b?c#d%41&e=f;g+h", "i" * 120,
             "\u0645\u0631\u062d\u0628\u0627", "..", "1/2"]
