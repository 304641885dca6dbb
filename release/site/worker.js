/* The search runs in a Worker, which browsers refuse to a page that is opened as a file.
   There the same script runs in an empty frame of the page. */
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inner = frame.contentWindow;
      this.inner.postMessage = (data) =>
        setTimeout(() => this.onmessage && this.onmessage({ data }));
      this.ready = new Promise((loaded) => {
        const script = this.inner.document.createElement("script");
        script.src = new URL(url, location.href).href;
        script.onload = loaded;
        script.onerror = (event) => this.onerror && this.onerror(event);
        this.inner.document.body.append(script);
      });
    }
    postMessage(data) {
      this.ready.then(() => this.inner.onmessage({ data }));
    }
    terminate() {
      this.inner.frameElement.remove();
    }
  };
}
