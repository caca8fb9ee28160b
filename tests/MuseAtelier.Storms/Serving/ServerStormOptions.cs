using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Serving;

/// <summary>The options of <see cref="ServerStorm"/>.</summary>
internal sealed record ServerStormOptions
{
    public StormDevice Device { get; init; }

    public int Jobs { get; init; } = 200;

    public int Clients { get; init; } = 20;

    public int Readers { get; init; } = 12;

    public int Size { get; init; } = 256;

    public int Steps { get; init; } = 1;

    public int Seed { get; init; } = 1;

    public int BoundMib { get; init; } = 48;

    public int HangSeconds { get; init; } = 300;
}
