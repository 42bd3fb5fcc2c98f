// What is not to be seen yet of what a view must show, a sentence for each; nothing where all is there.
window.ctrPictures = {
  sent: "",

  missing(view) {
    const said = document.body ? document.body.innerText : "";
    const matches = (pattern) => new RegExp(pattern, "i").test(said);
    const drawings = view.canvas ? [...document.querySelectorAll(view.canvas)].filter(this.inSight) : [];
    const empty = drawings.filter((canvas) => !this.painted(canvas)).length;
    const boxes = view.boxes ? [...document.querySelectorAll(view.boxes)].filter(this.inSight) : [];
    const hollow = boxes.filter((box) => !this.holds(box)).map((box) => box.ariaLabel);
    return [
      ...view.text.filter((pattern) => !matches(pattern)).map((pattern) => `no text is like ${pattern}`),
      ...view.without.filter(matches).map((pattern) => `a text is still like ${pattern}`),
      ...view.sent.filter((text) => !this.sent.includes(text)).map((text) => `${text} was not sent`),
      ...(view.canvas && drawings.length === 0 ? [`there is no drawing (${view.canvas})`] : []),
      ...(view.boxes && boxes.length === 0 ? [`there is no box (${view.boxes})`] : []),
      ...hollow.map((title) => `nothing is in "${title}"`),
      ...(empty > 0 ? [`${empty} of ${drawings.length} drawings are empty`] : []),
    ];
  },

  inSight(element) {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && box.top < innerHeight && box.bottom > 0;
  },

  holds(box) {
    return box.querySelector("canvas") !== null || box.innerText.replace(box.ariaLabel, "").trim() !== "";
  },

  painted(canvas) {
    const context = canvas.getContext("2d");
    // Drawn by other means, which do not keep what they have drawn.
    if (context === null) return true;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, index) => index % 4 === 3 && value > 0);
  },
};

// What servers send by WebSockets, for pages that draw all they show.
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    const decoder = new TextDecoder();
    this.addEventListener("message", ({ data }) => {
      window.ctrPictures.sent +=
        typeof data === "string" ? data : decoder.decode(data, { stream: true });
    });
  }
};
