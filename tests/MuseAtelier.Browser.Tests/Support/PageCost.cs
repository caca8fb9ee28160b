using System.Text.Json;
using Microsoft.Playwright;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>What a page fetches, without the browser's cache: bytes as they are transferred, heads included.</summary>
internal sealed class PageCost
{
    private long _bytes;
    private int _requests;

    // The session ends with the page's context.
    private PageCost(ICDPSession session)
    {
        session.Event("Network.loadingFinished").OnEvent += (_, data) =>
        {
            Interlocked.Add(ref _bytes, (long)data!.Value.GetProperty("encodedDataLength").GetDouble());
            Interlocked.Increment(ref _requests);
        };
    }

    /// <summary>The bytes.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The requests that ended.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Begins to count.</summary>
    public static async Task<PageCost> BeginAsync(IPage page)
    {
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Network.enable");
        await session.SendAsync("Network.setCacheDisabled", new Dictionary<string, object> { ["cacheDisabled"] = true });
        return new PageCost(session);
    }
}
