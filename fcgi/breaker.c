/* Leaves a server alone for a while after a fault; see breaker.h. */
#include "config.h"

#include "fcgi/breaker.h"

/* May it be asked now?  After the pause one call is the probe. */
bool
breaker_allows(const struct breaker *b, int64_t now_ms)
{
	return now_ms >= b->open_until_ms;
}

/* It failed: leave it alone for retry_ms. */
void
breaker_failed(struct breaker *b, int64_t now_ms, int64_t retry_ms)
{
	b->open_until_ms = now_ms + retry_ms;
}

void
breaker_worked(struct breaker *b)
{
	b->open_until_ms = 0;
}
