// Relative, so that it works behind a proxy that removes a prefix.
SwaggerUIBundle({ url: "../openapi.json", dom_id: "#swagger-ui", deepLinking: true });
