(() => {
  const NAMES = { en: "English", "zh-Hans": "简体", "zh-Hant": "繁體" };
  const main = document.getElementById("main");
  const bar = document.getElementById("progress");
  const token = decodeURIComponent(location.hash.slice(1)).trim();
  const state = { locale: Logic.locale(navigator.languages), survey: null, answers: {}, version: null, at: null, draft: null };
  let begun = 0;
  let resumed = false;
  let showing = () => screen("loading");
  let saving = Promise.resolve();

  const say = (name, values) => Logic.said(TEXTS[state.locale][name], values || {});

  function el(name, properties, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value === false || value === null || value === undefined) continue;
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (key === "value" || key === "checked") made[key] = value;
      else made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return made;
  }

  async function call(path, body, match) {
    const headers = { Authorization: `Bearer ${token}`, "Accept-Language": state.locale };
    if (body) headers["Content-Type"] = "application/json";
    if (match) headers["If-Match"] = match;
    const options = { headers, method: body ? "POST" : "GET", credentials: "omit", cache: "no-store" };
    const answer = await fetch(path, body ? { ...options, body: JSON.stringify(body) } : options);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(told.code || "failed"), { status: answer.status, code: told.code, field: told.field });
    return { told, version: answer.headers.get("ETag") };
  }

  async function load() {
    screen("loading");
    try {
      const { told } = await call("survey-invitation");
      if (told.status !== "open") {
        showing = () => screen({ answered: "answered", expired: "expired" }[told.status] || "invalid");
        return showing();
      }
      state.survey = (await call(`surveys/${told.survey_id}`)).told;
      if (state.survey.status === "closed") throw Object.assign(new Error(), { code: "survey_closed" });
      if (state.survey.answer === "given") throw Object.assign(new Error(), { code: "answered_before" });
      if (state.survey.answer === "begun") {
        const { told: draft, version } = await call(`surveys/${told.survey_id}/responses/draft`);
        [state.answers, state.draft, resumed] = [draft.answers, version, true];
      }
      showing = intro;
    } catch (error) {
      const why = Logic.screen(error.status, error.code);
      showing = () => screen(why, why === "offline" ? { more: "offline_first", again: load } : {});
    }
    showing();
  }

  function put(...children) {
    document.documentElement.lang = state.locale;
    document.title = state.survey ? state.survey.title : say("title");
    document.getElementById("languages").replaceChildren(...Logic.LOCALES.map((one) => el("button", {
      type: "button", lang: one, "aria-pressed": String(one === state.locale), onclick: () => speak(one),
    }, NAMES[one])));
    document.getElementById("languages").setAttribute("aria-label", say("language"));
    main.replaceChildren(...children.filter(Boolean));
    const heading = main.querySelector("[data-focus]");
    if (heading && begun) heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  async function speak(locale) {
    state.locale = locale;
    if (state.survey) {
      try {
        state.survey = (await call(`surveys/${state.survey.id}`)).told;
      } catch (error) {
        // The questions stay in the language that they are in; the page's own words change.
      }
    }
    showing();
  }

  function screen(name, { more = `${name}_more`, again = null } = {}) {
    bar.hidden = true;
    const mark = { answered: "✓", thanks: "✓", loading: null }[name];
    put(el("section", { class: `card still ${name}` },
      mark ? el("div", { class: "mark", "aria-hidden": "true" }, mark) : null,
      el("h1", { tabindex: "-1", "data-focus": true }, say(name)),
      more in TEXTS.en ? el("p", {}, say(more)) : null,
      again ? el("div", { class: "ways" }, el("button", { type: "button", class: "main", onclick: again }, say("again"))) : null));
  }

  function intro() {
    bar.hidden = true;
    const { survey } = state;
    put(el("section", { class: "card still" },
      el("h1", { tabindex: "-1", "data-focus": true }, survey.title),
      survey.intro ? el("p", { class: "told" }, survey.intro) : null,
      survey.points ? el("p", { class: "points" }, say("points", { points: survey.points })) : null,
      el("p", { class: "soft" }, say(resumed ? "begun" : "kept")),
      el("div", { class: "ways" }, el("button", {
        type: "button",
        class: "main",
        onclick: () => {
          begun = begun || Date.now();
          go(resumed ? Logic.reached(survey.questions, state.answers) : Logic.path(survey.questions, {})[0].code);
        },
      }, say(resumed ? "resume" : "start")))));
  }

  function go(code) {
    state.at = code;
    showing = question;
    question();
  }

  function question(fault) {
    const asked = Logic.path(state.survey.questions, state.answers);
    const place = Math.max(0, asked.findIndex((one) => one.code === state.at));
    const found = asked[place];
    const isLast = place === asked.length - 1;
    const told = say(Logic.isOpen(state.survey.questions, state.answers, place) ? "number" : "place", { n: place + 1, total: asked.length });
    const body = el("form", { class: "card", novalidate: true, onsubmit: (event) => { event.preventDefault(); next(); } },
      el("p", { class: "place" }, told,
        found.required ? null : el("span", { class: "optional" }, say("optional"))),
      field(found, fault),
      el("p", { id: "fault", class: "fault", role: "alert" }, typeof fault === "string" ? say(fault) : ""),
      el("div", { class: "ways" },
        el("button", { type: "submit", class: "main" }, say(isLast ? "send" : "next")),
        el("button", { type: "button", class: "back", onclick: () => (place ? go(asked[place - 1].code) : (showing = intro)()) }, say("back"))));
    bar.hidden = false;
    bar.max = asked.length;
    bar.value = place;
    bar.setAttribute("aria-label", told);
    put(body);
  }

  function field(found, fault) {
    const answer = state.answers[found.code] || (state.answers[found.code] = {});
    const hints = [found.hint];
    if (found.kind === "multiple") {
      hints.push(say(found.maximum < found.options.length ? "at_most" : "several", { maximum: found.maximum }));
    }
    const hint = hints.filter(Boolean);
    const title = el("h1", { id: "title", tabindex: "-1", "data-focus": true }, found.title);
    const more = hint.length ? el("p", { class: "hint", id: "hint" }, hint.join(" ")) : null;
    const described = [more ? "hint" : "", "fault"].filter(Boolean).join(" ");
    if (found.kind === "text") return [title, more, words(answer, found.characters, "title", described, 5)];
    const set = el("fieldset", { "aria-labelledby": "title", "aria-describedby": described, "aria-invalid": fault ? "true" : null });
    if (found.kind === "matrix") set.append(...found.rows.map((row) => rated(row, answer, found)));
    else if (found.options.length) set.append(...offered(found, answer));
    else set.append(scale("number", found, () => answer.number, (number) => { answer.number = number; }, ends(found)));
    return [title, more, set];
  }

  function ends(found) {
    // A hint mostly says what the ends mean.
    const own = found.kind in { nps: 1, csat: 1, ces: 1 } && !found.hint;
    return [found.lowest_title || (own ? say(`${found.kind}_low`) : ""), found.highest_title || (own ? say(`${found.kind}_high`) : "")];
  }

  function scale(name, found, read, write, [low, high]) {
    const numbers = Array.from({ length: found.highest - found.lowest + 1 }, (_one, index) => found.lowest + index);
    return el("div", { class: "scale" },
      el("div", { class: `numbers of${numbers.length}` }, numbers.map((number) => {
        const end = number === found.lowest ? low : number === found.highest ? high : "";
        return el("label", {},
          el("input", {
            type: "radio", name, value: String(number), checked: read() === number,
            "aria-label": end ? `${number}: ${end}` : null,
            onchange: () => { write(number); clear(); },
          }),
          el("span", {}, String(number)));
      })),
      low || high ? el("div", { class: "ends", "aria-hidden": "true" }, el("span", {}, low), el("span", {}, high)) : null);
  }

  function rated(row, answer, found) {
    const id = `row-${row.code}`;
    answer.rows = answer.rows || {};
    const made = scale(id, found, () => answer.rows[row.code], (number) => { answer.rows[row.code] = number; },
      [say("csat_low"), say("csat_high")]);
    return el("fieldset", { class: "row", "aria-labelledby": id }, el("div", { id, class: "of" }, row.title), made);
  }

  function offered(found, answer) {
    const isMany = found.kind === "multiple";
    answer.options = answer.options || [];
    const rows = found.options.map((option) => {
      const input = el("input", {
        type: isMany ? "checkbox" : "radio", name: "option", value: option.code, checked: answer.options.includes(option.code),
        onchange: () => {
          answer.options = Logic.chosen(found, answer.options, option.code, input.checked);
          show();
          clear();
        },
      });
      return { option, input, made: el("label", { class: "option" }, input, el("span", {}, option.title)) };
    });
    const own = words(answer, 500, "words", "fault", 2);
    const label = el("label", { id: "words", class: "soft", for: "text" }, say("words"));
    function show() {
      const isFull = isMany && answer.options.length >= found.maximum;
      for (const { option, input } of rows) {
        input.checked = answer.options.includes(option.code);
        input.disabled = isFull && !input.checked && !option.exclusive;
      }
      const isOpen = rows.some(({ option }) => option.open_text && answer.options.includes(option.code));
      label.hidden = !isOpen;
      own.forEach((one) => { one.hidden = !isOpen; });
    }
    show();
    return [...rows.map(({ made }) => made), label, ...own];
  }

  function words(answer, characters, labelled, described, rows) {
    const left = el("p", { class: "left", "aria-hidden": "true" });
    const area = el("textarea", {
      id: "text", rows: String(rows), "aria-labelledby": labelled, "aria-describedby": described, value: answer.text || "",
      oninput: () => { answer.text = area.value; count(); clear(); },
    });
    function count() {
      const over = Logic.lengthOf(area.value) - characters;
      left.textContent = over > 0 ? say("over", { over }) : over > -200 ? say("left", { left: -over }) : "";
      left.classList.toggle("fault", over > 0);
    }
    count();
    return [area, left];
  }

  function clear() {
    document.getElementById("fault").textContent = "";
  }

  function next() {
    const { questions } = state.survey;
    const found = questions.find((one) => one.code === state.at);
    const fault = Logic.missing(found, state.answers[found.code]);
    if (fault) {
      document.getElementById("fault").textContent = say(fault);
      const first = main.querySelector("textarea:not([hidden]), input");
      if (first) first.focus();
      return;
    }
    const asked = Logic.path(questions, state.answers);
    const place = asked.findIndex((one) => one.code === found.code);
    if (place === asked.length - 1) {
      hand();
    } else {
      save();
      go(asked[place + 1].code);
    }
  }

  // What is answered so far is saved in the background; one after the other, so that each goes on from the last.
  function save() {
    const { survey } = state;
    const path = `surveys/${survey.id}/responses/draft`;
    saving = saving.then(async () => {
      const body = { answers: Logic.sent(survey.questions, state.answers), version: survey.version };
      try {
        state.draft = (await call(path, body, state.draft)).version;
      } catch (error) {
        if (error.status !== 412) return;
        // Another device has saved since: what is answered here counts.
        state.draft = (await call(path)).version;
        state.draft = (await call(path, body, state.draft)).version;
      }
    }).catch(() => {});
  }

  async function hand() {
    const button = main.querySelector("button.main");
    button.disabled = true;
    button.textContent = say("sending");
    document.getElementById("said").textContent = say("sending");
    await saving;
    const { survey } = state;
    const seconds = resumed ? 0 : Math.min(86400, Math.round((Date.now() - begun) / 1000));
    try {
      const body = { answers: Logic.sent(survey.questions, state.answers), version: survey.version, seconds };
      const { told } = await call(`surveys/${survey.id}/responses`, body);
      showing = () => thanks(told);
    } catch (error) {
      const code = /^answers\.(\w+)/.exec(error.field || "");
      const asked = code && survey.questions.some((one) => one.code === code[1]);
      if (error.status === 400 && asked) {
        state.at = code[1];
        return question("refused");
      }
      const why = Logic.screen(error.status, error.code);
      showing = () => screen(why, why === "offline" ? { again: () => go(state.at) } : {});
    } finally {
      document.getElementById("said").textContent = "";
    }
    return showing();
  }

  function thanks(told) {
    bar.hidden = false;
    bar.value = bar.max;
    put(el("section", { class: "card still thanks" },
      el("div", { class: "mark", "aria-hidden": "true" }, "✓"),
      el("h1", { tabindex: "-1", "data-focus": true }, say(told.thanks ? "thanks_more" : "thanks")),
      el("p", { class: "told" }, told.thanks || say("thanks_more")),
      told.points ? el("p", { class: "points" }, say("given", { points: told.points })) : null,
      el("p", { class: "soft" }, say("close"))));
  }

  // A second link that is opened in the same tab changes nothing but the fragment.
  addEventListener("hashchange", () => location.reload());
  if (/^hkl_[\w-]{50}$/.test(token)) load();
  else (showing = () => screen("incomplete"))();
})();
