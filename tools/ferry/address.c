/* SPDX-License-Identifier: MIT */
/* See address.h. */
#include "address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

#define OVER "fault+"

const char *address_behind(const char *address)
{
	size_t n = strlen(OVER);

	return strncmp(address, OVER, n) == 0 ? address + n : address;
}

const struct ferry_transport_info *address_transport(const char *address)
{
	const struct ferry_transport_info *t;
	const char *scheme;
	size_t n;

	address = address_behind(address);
	n = strcspn(address, ":/?");
	scheme = address[n] == ':' ? address : "mailbox";
	if (scheme != address)
		n = strlen(scheme);
	for (unsigned i = 0; (t = ferry_transport(i)); i++)
		if (strlen(t->scheme) == n &&
		    strncmp(t->scheme, scheme, n) == 0)
			return t;
	return NULL;
}

bool address_has(const char *address, const char *key, const char *value)
{
	size_t n = strlen(key), len;

	for (address = strchr(address, '?'); address;
	     address = strchr(address, '&')) {
		len = strcspn(++address, "=&");
		if (len != n || strncmp(address, key, n) != 0)
			continue;
		if (!value)
			return true;
		len = strcspn(address, "&");
		return len == n + 1 + strlen(value) &&
		       strncmp(address + n + 1, value, strlen(value)) == 0;
	}
	return false;
}

bool address_is_stream(const struct ferry_transport_info *t,
		       const char *address)
{
	return t && strncmp(t->framing, "stream", 6) == 0 &&
	       !address_has(address, "framing", NULL) &&
	       (!address_has(address, "type", NULL) ||
		address_has(address, "type", "stream"));
}

bool address_is_shared(const struct ferry_transport_info *t)
{
	return t->promises & (FERRY_CAN_MANY_RECV | FERRY_CAN_BROADCAST);
}

void address_add(char *address, size_t size, const char *key, const char *value)
{
	size_t n = strlen(address);

	snprintf(address + n, size - n, "%c%s=%s",
		 strchr(address, '?') ? '&' : '?', key, value);
}

static void check(const char *address, int len)
{
	if (len >= ADDRESS_SIZE)
		usage_error("%.60s...: the address is too long", address);
}

const char *address_with(char buf[ADDRESS_SIZE], const char *address,
			 const char *key, const char *value)
{
	if (!value)
		return address;
	check(address, snprintf(buf, ADDRESS_SIZE, "%s%c%s=%s", address,
				strchr(address, '?') ? '&' : '?', key, value));
	return buf;
}

const char *address_framed(char buf[ADDRESS_SIZE], const char *address,
			   const char *framing)
{
	if (!address_is_stream(address_transport(address), address))
		return address;
	if (!framing)
		exit(report(address, ferry_error_status(-EPROTOTYPE),
			    "it carries bytes (say how messages stand in it: "
			    "-l, -0 or --len32, or ?framing=line)"));
	return address_with(buf, address, "framing", framing);
}

const char *address_beside(char buf[ADDRESS_SIZE], const char *address,
			   const char *name)
{
	const char *end = address + strcspn(address, "?"), *slash = end;

	while (slash > address && *slash != '/' && *slash != ':')
		slash--;
	if (strncmp(address, "process:", 8) != 0)
		usage_error("--as is for process:NAME");
	check(address, snprintf(buf, ADDRESS_SIZE, "%.*s%s",
				(int)(slash + 1 - address), address, name));
	return buf;
}
