// Starts Swagger UI for the document that the page names.
const url = document.querySelector('meta[name="doyen-openapi"]').content;
// Without `validatorUrl: null` it would send the document to a host of its authors.
SwaggerUIBundle({ url, dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
