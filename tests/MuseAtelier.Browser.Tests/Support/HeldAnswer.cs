using Microsoft.Playwright;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>Requests of a page that do not reach the server before this ends, so that a test can act while they are not answered.</summary>
internal sealed class HeldAnswer : IAsyncDisposable
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HeldAnswer()
    {
    }

    /// <summary>Begins to hold requests.</summary>
    /// <param name="page">The page.</param>
    /// <param name="method">Their method.</param>
    /// <param name="pattern">Their address.</param>
    public static async Task<HeldAnswer> HoldAsync(IPage page, string method, string pattern)
    {
        var held = new HeldAnswer();
        await page.RouteAsync(pattern, async route =>
        {
            if (route.Request.Method == method)
            {
                held._asked.TrySetResult();
                await held._released.Task;
            }

            await route.ContinueAsync();
        });
        return held;
    }

    /// <summary>Waits until the page has asked.</summary>
    public Task AskedAsync() => _asked.Task;

    public ValueTask DisposeAsync()
    {
        _released.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
