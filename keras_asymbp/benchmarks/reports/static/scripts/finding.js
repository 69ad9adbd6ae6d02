// The finding on a setup: the template writes that of the first, the script any other.

function finding(setup) {
  const { label, verdicts, basis, agreement: found } = data.setups[setup];
  const numbers = [...verdicts].map(Number);
  const unknown = data.verdicts.length - 1;
  const tile = ([kind, sign, several, one], verdict) => {
    const names = data.claims.filter((_, index) => numbers[index] === verdict);
    const listed = verdict === unknown ? [] : [" ", element("span", { class: "names" }, names.join("; "))];
    return element("li", { class: kind }, element("strong", {}, String(names.length)), " ", element("span", { class: "word" }, `${sign} ${names.length === 1 ? one : several}`), ...listed);
  };
  const known = numbers.some((number) => number !== unknown);
  const parts = known
    ? [
        element("p", { class: "lead" }, `The paper’s ${numbers.length} claims on ${label}:`),
        element("ul", { class: "verdicts" }, ...data.verdicts.map(tile)),
      ]
    : [element("p", { class: "lead" }, `The results on ${label} are not enough to check a claim of the paper.`)];
  if (found) {
    const [place, models, correlation, low, high] = found;
    const interval = low === null ? "" : ` (95 % interval ${percent(low)} to ${percent(high)})`;
    parts.push(element("p", { class: "agreement" }, `Agreement with ${place}: rank correlation `, element("strong", {}, percent(correlation)), `${interval} of ${models} models.`));
  }
  if (known) parts.push(element("p", { class: "note" }, basis));
  find("#verdicts").replaceChildren(...parts);
}
