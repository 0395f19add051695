// What is asked, what is missing and what is sent: no word of the page itself stands here.
const Logic = (() => {
  const LOCALES = ["en", "zh-Hans", "zh-Hant"];

  // The best of our languages for a browser's list of them.
  function locale(wanted) {
    for (const tag of wanted || []) {
      const [language, ...rest] = String(tag).toLowerCase().split(/[-_]/);
      if (language === "zh") {
        const traditional = !rest.includes("hans") && rest.some((part) => ["hant", "tw", "hk", "mo"].includes(part));
        return traditional ? "zh-Hant" : "zh-Hans";
      }
      if (language === "en") return "en";
    }
    return "en";
  }

  function holds(condition, answer) {
    if (!answer) return false;
    if (condition.any_of.length) return condition.any_of.some((code) => (answer.options || []).includes(code));
    if (answer.number === undefined || answer.number === null) return false;
    return !(condition.at_least !== null && answer.number < condition.at_least)
      && !(condition.at_most !== null && answer.number > condition.at_most);
  }

  // The questions that are asked after these answers, in the order in which they are shown.
  function path(questions, answers) {
    const known = new Map(questions.map((question) => [question.code, question]));
    const judged = new Map();
    function isAsked(code) {
      if (!known.has(code)) return false;
      if (!judged.has(code)) {
        judged.set(code, false);
        judged.set(code, known.get(code).show_if.every(
          (condition) => isAsked(condition.question) && holds(condition, answers[condition.question])));
      }
      return judged.get(code);
    }
    return questions.filter((question) => isAsked(question.code));
  }

  // Whether it depends on this question, or on a later one, what else is asked.
  function isOpen(questions, answers, place) {
    const asked = path(questions, answers).map((one) => one.code);
    const settled = new Set(asked.slice(0, place));
    return questions.some((one) => !asked.includes(one.code)
      && one.show_if.some((condition) => asked.includes(condition.question) && !settled.has(condition.question)));
  }

  // Characters as the engine counts them; what no text may hold is left out.
  function clean(text) {
    return Array.from(String(text || "").replace(/\r\n?|\u2028|\u2029/g, "\n"))
      .filter((one) => !/^[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]$/.test(one))
      .join("").normalize("NFC");
  }

  function lengthOf(text) {
    return Array.from(clean(text).trim()).length;
  }

  // An answer in the form in which it is sent, null for one that says nothing.
  function form(question, answer) {
    if (!answer) return null;
    const text = clean(answer.text).trim();
    switch (question.kind) {
      case "text":
        return text ? { text } : null;
      case "single":
      case "multiple": {
        const options = (answer.options || []).filter((code) => question.options.some((one) => one.code === code));
        if (!options.length) return null;
        const takesWords = question.options.some((one) => one.open_text && options.includes(one.code));
        return text && takesWords ? { options, text } : { options };
      }
      case "matrix": {
        const rows = {};
        for (const row of question.rows) {
          const number = (answer.rows || {})[row.code];
          if (Number.isInteger(number)) rows[row.code] = number;
        }
        return Object.keys(rows).length ? { rows } : null;
      }
      default:
        return Number.isInteger(answer.number) ? { number: answer.number } : null;
    }
  }

  // What goes to the engine: the answers to all that is asked, and to nothing else.
  function sent(questions, answers) {
    const found = {};
    for (const question of path(questions, answers)) {
      const one = form(question, answers[question.code]);
      if (one) found[question.code] = one;
    }
    return found;
  }

  // Why one cannot go on from a question: the name of a text, or an empty one.
  function missing(question, answer) {
    const given = form(question, answer);
    if (given && given.text && lengthOf(given.text) > (question.characters || 500)) return "shorten";
    if (!question.required) return "";
    if (question.kind === "matrix") {
      return given && question.rows.every((row) => row.code in given.rows) ? "" : "rate";
    }
    return given ? "" : question.kind === "text" ? "write" : "choose";
  }

  // What is chosen once an option is clicked: some exclude all others, and no more than the maximum are kept.
  function chosen(question, options, code, isOn) {
    const exclusive = new Set(question.options.filter((one) => one.exclusive).map((one) => one.code));
    const others = options.filter((one) => one !== code);
    if (!isOn) return others;
    if (question.kind === "single" || exclusive.has(code)) return [code];
    const kept = others.filter((one) => !exclusive.has(one));
    return kept.length < (question.maximum || question.options.length) ? [...kept, code] : kept;
  }

  // Where to go on: behind the last question that was answered, but not behind one whose answer is missing.
  function reached(questions, answers) {
    const asked = path(questions, answers);
    const given = asked.map((one) => Boolean(form(one, answers[one.code])));
    const lacking = asked.findIndex((one) => missing(one, answers[one.code]));
    const after = given.lastIndexOf(true) + 1;
    return asked[Math.min(lacking < 0 ? after : Math.min(lacking, after), asked.length - 1)].code;
  }

  // The screen that explains a refusal: by the problem's code, where it has one.
  function screen(status, code) {
    if (["link_expired", "invitation_expired", "survey_closed", "survey_not_open"].includes(code)) return "expired";
    if (["invitation_answered", "answered_before"].includes(code)) return "answered";
    if (status === 401 || status === 403 || status === 404 || code === "invitation_withdrawn") return "invalid";
    return "offline";
  }

  function said(text, values) {
    return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
  }

  return { LOCALES, locale, holds, path, isOpen, clean, lengthOf, form, sent, missing, chosen, reached, screen, said };
})();
