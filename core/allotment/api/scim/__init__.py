"""A directory's protocol (SCIM 2.0, RFC 7643 and 7644): words, filters, patches and errors, without any I/O."""
