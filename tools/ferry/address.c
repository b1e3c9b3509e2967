/* SPDX-License-Identifier: MIT */
/* See address.h. */
#include "address.h"

#include <stdio.h>
#include <string.h>
#include "report.h"

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
