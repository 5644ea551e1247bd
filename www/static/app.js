/*
 * The one script: while somebody looks at a board, its page is asked for again
 * and again, and rows that moved are seen to move. Without it all works. Every
 * word that it shows is an attribute of #live: the page alone has a language.
 */
"use strict";

(() => {
	const board = document.getElementById("board");
	const live = document.getElementById("live");
	const status = live && live.querySelector("[role=status]");
	if (!board || !status)
		return;

	const KEY = "turnout-paused";
	const EVERY_MS = 4000;
	const AWAY_MS = 60000; /* longest wait while the server is away */
	const ANSWER_MS = 10000;
	const OLD_MS = 90000; /* the same answer: longer than any cache's life */
	const SAY_MS = 30000;  /* between two times that a change is told */
	const calm = matchMedia("(prefers-reduced-motion: reduce)");
	let etag = null, timer = 0, asking = false, failed = 0;
	let changed = false;
	let due = performance.now() + EVERY_MS, said = -SAY_MS;
	let as_of = null, since = 0;

	/* Storage may be forbidden: then the choice holds for this page only. */
	const remembered = () => {
		try {
			return sessionStorage.getItem(KEY) === "1";
		} catch {
			return false;
		}
	};
	const remember = () => {
		try {
			sessionStorage.setItem(KEY, paused ? "1" : "0");
		} catch { /* it is only less comfortable */ }
	};
	let paused = remembered();

	/* One word for a state; a text that stays is not announced again. */
	const tell = (word) => {
		const text = live.dataset[paused ? "paused" : word] || "";
		if (status.textContent !== text)
			status.textContent = text;
	};

	/* The event of a row; nothing else has a key. */
	const key = (node) => node.dataset ? node.dataset.event : undefined;

	const alike = (a, b) => a.nodeName === b.nodeName && a.id === b.id &&
	    a.getAttribute("class") === b.getAttribute("class") &&
	    key(a) === undefined;

	/* The child of a parent, at or after one, that is to become want. */
	const match = (rows, at, want) => {
		if (key(want) !== undefined)
			return rows.get(key(want));
		if (want.nodeType !== Node.ELEMENT_NODE)
			return at && at.nodeType === want.nodeType ? at : null;
		while (at && (at.nodeType !== want.nodeType || !alike(at, want)))
			at = at.nextSibling;
		return at;
	};

	/* What must not be taken out: it has the focus or the selection. */
	const held = (node) => node.contains(document.activeElement) ||
	    node.contains(getSelection().anchorNode);

	/* Attributes; which <details> are open is the reader's affair. */
	const dress = (old, fresh) => {
		for (const { name } of [...old.attributes])
			if (name !== "open" && !fresh.hasAttribute(name))
				old.removeAttribute(name);
		for (const { name, value } of fresh.attributes)
			if (name !== "open" && old.getAttribute(name) !== value)
				old.setAttribute(name, value);
	};

	/* Makes old like fresh. Nodes that stay are not touched, so that focus
	 * and selection stay; rows are found again by their event. */
	const become = (old, fresh) => {
		if (old.isEqualNode(fresh))
			return;
		if (old.nodeType !== Node.ELEMENT_NODE) {
			old.nodeValue = fresh.nodeValue;
			return;
		}
		dress(old, fresh);
		const rows = new Map([...old.children].map((n) => [key(n), n]));
		let at = old.firstChild;
		for (const want of fresh.childNodes) {
			const have = match(rows, at, want);
			if (!have) {
				old.insertBefore(document.importNode(want, true), at);
				continue;
			}
			if (have !== at && key(have) !== undefined && !held(have)) {
				old.insertBefore(have, at);
			} else {
				while (at !== have) { /* a row may be wanted later */
					const next = at.nextSibling;
					at.remove();
					if (key(at) !== undefined)
						old.append(at);
					at = next;
				}
				at = have.nextSibling;
			}
			become(have, want);
		}
		while (at) {
			const next = at.nextSibling;
			at.remove();
			at = next;
		}
	};

	const places = () => new Map(
	    [...board.querySelectorAll("[data-event]")].map((row) =>
	    [row.dataset.event, row.getBoundingClientRect().top]));

	/* Each row starts where it was and goes to where it is. */
	const animate = (before) => {
		if (calm.matches)
			return;
		for (const row of board.querySelectorAll("[data-event]")) {
			const from = before.get(row.dataset.event);
			const by = from - row.getBoundingClientRect().top;
			if (from === undefined)
				row.animate({ opacity: [0, 1] }, 400);
			else if (Math.abs(by) >= 1)
				row.animate({ transform: [
				    `translateY(${by}px)`, "none"] },
				    { duration: 500, easing: "ease-in-out" });
		}
	};

	const show = (fresh) => {
		const before = places();
		become(board, fresh);
		animate(before);
		const same = String([...before.keys()]) ===
		    String([...places().keys()]);
		changed = !same && performance.now() - said >= SAY_MS;
		if (changed)
			said = performance.now();
	};

	/* Asks once, and shows what is new. Throws when there is no board;
	 * .wait_ms says how long the server wants to be left alone. */
	const ask = async () => {
		const answer = await fetch(location.href, {
			cache: "no-cache", /* If-None-Match is the browser's */
			signal: AbortSignal.timeout(ANSWER_MS),
		});
		const header = (name) => answer.headers.get(name);
		if (!answer.ok) {
			const why = new Error(String(answer.status));
			why.wait_ms = 1000 * Number(header("Retry-After"));
			throw why;
		}
		if (as_of !== header("X-Turnout-As-Of")) {
			as_of = header("X-Turnout-As-Of");
			since = performance.now();
		}
		if (etag && header("ETag") === etag)
			return;
		const page = new DOMParser().parseFromString(
		    await answer.text(), "text/html");
		const fresh = page.getElementById("board");
		if (!fresh)
			throw new Error("no board");
		if (paused || board.matches(":active"))
			return; /* nothing moves under a finger */
		show(fresh);
		etag = header("ETag");
	};

	/* A cache goes on giving the last answer when the pool is away. */
	const old = () => as_of && performance.now() - since > OLD_MS;

	const plan = () => {
		clearTimeout(timer);
		if (!paused && !document.hidden && !asking)
			timer = setTimeout(
			    round, Math.max(0, due - performance.now()));
	};

	/* Asks, and plans the next time: later and later while it fails, and
	 * never all readers at once. */
	const round = async () => {
		let wait_ms = EVERY_MS;
		asking = true;
		changed = false;
		try {
			await ask();
			failed = 0;
			tell(old() ? "old" : changed ? "changed" : "");
		} catch (why) {
			failed++;
			tell("away");
			wait_ms = Math.max(why.wait_ms || 0, Math.min(AWAY_MS,
			    EVERY_MS * 2 ** (failed - 1)));
		}
		asking = false;
		due = performance.now() + wait_ms * (1 + Math.random() / 4);
		plan();
	};

	const button = document.createElement("button");
	const press = () => {
		button.setAttribute("aria-pressed", String(paused));
		tell("");
	};
	button.type = "button";
	button.textContent = live.dataset.pause;
	button.addEventListener("click", () => {
		paused = !paused;
		remember();
		press();
		plan();
	});
	press();
	live.prepend(button);
	document.addEventListener("visibilitychange", plan);
	addEventListener("online", () => {
		due = 0;
		plan();
	});
	plan();
})();
