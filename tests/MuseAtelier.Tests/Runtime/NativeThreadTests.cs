using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Runtime;

public sealed class NativeThreadTests
{
    [Fact]
    public void Join_OfAThreadThatHasEnded_ReturnsWhenTheSystemHasNoSuchThread()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lists the threads of a process.");
        for (int i = 0; i < 100; i++)
        {
            string? entry = null;
            var thread = new NativeThread("test", () => entry = new FileInfo("/proc/thread-self").LinkTarget);
            thread.Start();
            thread.Join();
            Assert.True(thread.HasEnded);
            Assert.False(Directory.Exists($"/proc/{entry}"), $"/proc/{entry} is still there");
        }
    }

    [Fact]
    public void Join_WithPatience_GivesUpOnAThreadThatGoesOn()
    {
        using var release = new ManualResetEventSlim(false);
        var thread = new NativeThread("test", () => release.Wait(TestContext.Current.CancellationToken));
        thread.Start();
        Assert.False(thread.Join(TimeSpan.FromMilliseconds(20)));
        Assert.False(thread.IsCurrent);
        release.Set();
        Assert.True(thread.Join(TimeSpan.FromSeconds(30)));
    }
}
