/* Questions before something that cannot be taken back: native dialogs, which keep the focus and give it back. */
import { $, put, show } from "./dom.js";
import { text } from "./texts.js";

/**
 * @typedef {object} Way
 * @property {string} label
 * @property {boolean} [bad] what cannot be taken back
 * @property {() => void} go
 */

/**
 * @param {string} heading
 * @param {string} told
 * @param {Way[]} ways besides staying
 * @param {string} [stay]
 */
export function question(heading, told, ways, stay = text("confirm.cancel")) {
  const dialog = $("question");
  put($("question-heading"), heading);
  put($("question-text"), told);
  ["question-first", "question-second"].forEach((id, place) => way($(id), ways[place], dialog));
  put($("question-stay"), stay);
  $("question-stay").onclick = () => dialog.close();
  dialog.showModal();
}

function way(button, chosen, dialog) {
  show(button, Boolean(chosen));
  if (!chosen) return;
  put(button, chosen.label);
  button.classList.toggle("bad", Boolean(chosen.bad));
  button.onclick = () => {
    dialog.close();
    chosen.go();
  };
}
