// Comfort only, every page works without it: the button of the ticked says how many they are and rests while none is.

const form = document.getElementById("again");
const button = document.querySelector('button[form="again"]:not([name])');

if (form && button) {
  const boxes = [...document.querySelectorAll('input[name="ids"]')];
  const label = button.textContent;
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    button.disabled = count === 0;
    button.textContent = count ? `${label} (${count})` : label;
  };
  boxes.forEach((box) => box.addEventListener("change", show));
  show();
}
