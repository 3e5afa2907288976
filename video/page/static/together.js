/* What comes in one burst is drawn once: letting somebody in is four events, and drawing keeps the picture waiting. */

/**
 * @param {() => void} draw
 * @returns {() => void} asks for it; not by a timer, for which pages in the background wait
 */
export function together(draw) {
  const { port1, port2 } = new MessageChannel();
  let due = false;
  port1.onmessage = () => {
    due = false;
    draw();
  };
  return () => {
    if (!due) port2.postMessage(0);
    due = true;
  };
}
