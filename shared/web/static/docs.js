// Swagger UI from our own files; it asks no outside validator.
document.addEventListener("DOMContentLoaded", () => {
  window.SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#swagger", validatorUrl: null, docExpansion: "none" });
});
