/* SPDX-License-Identifier: MIT */
/* The number of the interface.  The soname and the format count for themselves. */
#include <ferry/base.h>

#define TEXT(x)		#x
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *ferry_version(void)
{
	return DOTTED(FERRY_API_MAJOR, FERRY_API_MINOR, FERRY_API_PATCH);
}
