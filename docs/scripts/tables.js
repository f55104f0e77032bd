// The theme puts wide tables into boxes that scroll: keys can move them, too.
document$.subscribe(() => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    const heading = box.closest("article")?.querySelector("h1");
    box.setAttribute("aria-label", `Table: ${heading ? heading.firstChild.textContent : ""}`);
  }
});
