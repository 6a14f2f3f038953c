"use strict";
// Filters the findings that the page holds already; without this script all of them are shown.
(() => {
  const byId = (id) => document.getElementById(id);

  // A link to a rule opens its page.
  const open = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  open();

  // Paper cannot be unfolded.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    for (const each of unfolded) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of unfolded) each.open = false;
  });

  const form = byId("filter");
  if (!form) return;
  const [search, rule, namespace, count, list, none] =
    ["search", "rule", "namespace", "count", "list", "none"].map(byId);
  const articles = [...list.children];
  let texts = null; // of each article, lower case; read at the first search

  const matching = () => {
    const levels = new Set(new FormData(form).getAll("level"));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) texts ??= articles.map((each) => each.textContent.toLowerCase());
    return (article, at) =>
      levels.has(article.dataset.level) &&
      (!rule.value || article.dataset.rule === rule.value) &&
      (!namespace.value || article.dataset.namespace === namespace.value) &&
      words.every((word) => texts[at].includes(word));
  };

  const filter = () => {
    const matches = matching();
    let shown = 0;
    articles.forEach((article, at) => {
      const match = matches(article, at);
      if (article.hidden === match) article.hidden = !match;
      shown += match;
    });
    count.textContent = `${shown} of ${articles.length} findings shown`;
    none.hidden = shown > 0;
  };

  for (const link of document.querySelectorAll("a[data-find]")) {
    link.addEventListener("click", () => {
      form.reset();
      search.value = link.dataset.find;
      filter();
    });
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter)); // after the fields are reset
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    search.focus();
  });
  form.hidden = false;
})();
