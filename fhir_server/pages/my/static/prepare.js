// Shows and hides what follows from other answers while one types. The server judges again whatever is sent.
// FHIR R4 Questionnaire.item.enableWhen.

const form = document.getElementById('sheet');
const following = [...(form?.querySelectorAll('[data-when]') ?? [])].map((part) => ({ part, ...JSON.parse(part.dataset.when) }));

const near = (at, prefix) => prefix === '' || at === prefix || at.startsWith(`${prefix}.`);

function answers(row) {
  const found = [];
  for (const field of form.elements) {
    const name = /^a([\d.]+):(.+)$/s.exec(field.name);
    if (!name || name[2] !== row.q || !near(name[1], row.near) || field.closest('[hidden]')) continue;
    if ((field.type === 'radio' || field.type === 'checkbox') && !field.checked) continue;
    const value = field.value === 'other:' ? form.elements[`t${field.name.slice(1)}`].value : field.value;
    if (value.trim() !== '') found.push(value.trim());
  }
  return found;
}

function compared(row, value) {
  const [one, other] = row.number ? [Number(value), Number(row.want)] : [value, row.want];
  return { '=': one === other, '>': one > other, '<': one < other, '>=': one >= other, '<=': one <= other }[row.op];
}

function met(row) {
  const found = answers(row);
  if (row.op === 'exists') return (found.length > 0) === (row.want !== 'false');
  if (row.op === '!=') return !found.some((value) => compared({ ...row, op: '=' }, value));
  return found.some((value) => compared(row, value) === true);
}

function follow() {
  // What one answer shows may lead to more: again until nothing changes, at most once for each.
  for (let round = 0, changed = true; changed && round <= following.length; round += 1) {
    changed = false;
    for (const { part, all, rows } of following) {
      const asked = all ? rows.every(met) : rows.some(met);
      if (asked === part.hidden) {
        part.hidden = part.disabled = !asked;
        changed = true;
      }
    }
  }
}

form?.addEventListener('input', follow);
form?.addEventListener('change', follow);
// Words beside a choice are that choice.
form?.addEventListener('input', ({ target }) => {
  if (!target.name?.startsWith('t') || target.value === '') return;
  const other = target.closest('.other')?.querySelector('input[value="other:"]');
  if (other) other.checked = true;
});
if (form) follow();
document.getElementById('errors')?.focus();
