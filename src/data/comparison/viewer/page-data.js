/** What the page says of its pictures, as `comparison-page.ts` writes it. */
export function readPageData() {
  return JSON.parse(document.getElementById("page-data").textContent);
}

/** The bytes that lie in the page as text; their places are emptied, one after the other. */
function takeBytes(type) {
  const pieces = [];
  for (const place of document.querySelectorAll("script.media")) {
    const text = atob(place.textContent);
    place.remove();
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    pieces.push(new Blob([bytes]));
  }
  return new Blob(pieces, { type });
}

/** The sheet of all pictures, as an image or as a video in the page, when it can be drawn. Rejects where it cannot. */
export function openSheet(type) {
  const address = URL.createObjectURL(takeBytes(type));
  const isVideo = type.startsWith("video/");
  const sheet = document.createElement(isVideo ? "video" : "img");
  return new Promise((resolve, reject) => {
    sheet.addEventListener(isVideo ? "loadeddata" : "load", () => resolve(sheet), { once: true });
    sheet.addEventListener("error", () => reject(sheet.error), { once: true });
    if (isVideo) {
      // some browsers draw no video that is not in the page
      sheet.className = "source";
      sheet.muted = true;
      sheet.playsInline = true;
      sheet.preload = "auto";
      sheet.tabIndex = -1;
      sheet.setAttribute("aria-hidden", "true");
      document.body.append(sheet);
    }
    sheet.src = address;
  });
}
