// The break counts down; when it is over, the page says so.

const place = document.querySelector("[data-rest]");
const left = place.querySelector("[data-left]");
const ends = performance.now() + 1000 * Number(place.dataset.rest);

function tick() {
  const seconds = Math.ceil((ends - performance.now()) / 1000);
  if (seconds <= 0) window.location.reload();
  else left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

if (left !== null) {
  setInterval(tick, 1000);
  tick();
}
