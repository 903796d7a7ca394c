// Which of two outputs is better, said with keys: once is clearly, again is slightly.

const STEPS = { left: ["left-1", "left-0.5"], right: ["right-1", "right-0.5"], tie: ["tie"] };

function prefer(side, { stage }) {
  const radios = stage.all("[data-preference] input");
  if (radios.length === 0) return false;
  const now = radios.find((radio) => radio.checked)?.value;
  const steps = STEPS[side];
  const wanted = steps[(steps.indexOf(now) + 1) % steps.length];
  const radio = radios.find((one) => one.value === wanted);
  stage.tabs.open("candidates");
  radio.checked = true;
  radio.focus({ preventScroll: true });
  stage.announce(radio.parentElement.querySelector("span").firstChild.textContent.trim());
  return true;
}

export const PREFERENCE_COMMANDS = {
  left: (work) => prefer("left", work),
  right: (work) => prefer("right", work),
  tie: (work) => prefer("tie", work),
};
