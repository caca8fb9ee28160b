using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>A request of a storm to an atelier.</summary>
/// <param name="Request">The request.</param>
/// <param name="Pictures">The number of pictures, which form one batch.</param>
internal sealed record StormRequest(PictureRequest Request, int Pictures)
{
    /// <summary>Paints the pictures.</summary>
    public async Task<IReadOnlyList<PictureDigest>> PaintAsync(Atelier atelier, CancellationToken cancellationToken = default)
    {
        if (Pictures == 1)
        {
            using Picture alone = await atelier.GenerateAsync(Request, cancellationToken: cancellationToken);
            return [PictureDigest.Of(alone)];
        }

        var painted = new List<PictureDigest>();
        await foreach (Picture picture in atelier.GenerateManyAsync(Request, Pictures, Pictures, cancellationToken: cancellationToken))
        {
            painted.Add(PictureDigest.Of(picture));
            picture.Dispose();
        }

        return painted;
    }

    public override string ToString() =>
        FormattableString.Invariant($"{Pictures} of {Request.Width}x{Request.Height}, {Request.Steps} steps, ")
        + FormattableString.Invariant($"guidance {Request.GuidanceScale} from {Request.GuidanceFrom}, seed {Request.Seed}");
}

/// <summary>The requests of a storm. They must be few, because each atelier first paints each request alone.</summary>
internal static class StormRequests
{
    private static readonly string[] Prompts =
    [
        "a starry night over a quiet city, oil painting",
        "星空下的古城，油画，金色的灯光",
        string.Join(", ", Enumerable.Range(1, 40).Select(i => FormattableString.Invariant($"detail number {i}"))),
        "",
    ];

    private static readonly (int Width, int Height)[] Sizes = [(256, 256), (320, 256), (512, 512), (256, 256), (256, 384), (256, 256)];

    /// <summary>Creates requests of single pictures that are painted quickly. Equal seeds give equal requests.</summary>
    /// <param name="random">The storm's random numbers.</param>
    /// <param name="count">The number of requests.</param>
    public static IReadOnlyList<PictureRequest> DrawSmall(Random random, int count)
    {
        var requests = new PictureRequest[count];
        for (int i = 0; i < count; i++)
        {
            requests[i] = new PictureRequest
            {
                Prompt = Prompts[random.Next(Prompts.Length)],
                Width = 256,
                Height = i % 3 == 2 ? 320 : 256,
                Steps = 1 + random.Next(4),
                GuidanceScale = i % 2 == 0 ? 7 : 1,
                Seed = (ulong)random.NextInt64(),
            };
        }

        return requests;
    }

    /// <summary>Creates the requests. Equal seeds give equal requests.</summary>
    /// <param name="random">The storm's random numbers.</param>
    /// <param name="count">The number of requests.</param>
    public static IReadOnlyList<StormRequest> Draw(Random random, int count)
    {
        var requests = new StormRequest[count];
        for (int i = 0; i < count; i++)
        {
            (int width, int height) = Sizes[i % Sizes.Length];
            var request = new PictureRequest
            {
                Prompt = Prompts[random.Next(Prompts.Length)],
                NegativePrompt = random.Next(2) == 0 ? "" : "blurry, low quality",
                Width = width,
                Height = height,
                Steps = 1 + random.Next(4),
                GuidanceScale = i % 3 == 1 ? 1 : 7,
                // Of the guided requests every other one has steps of both row counts, if it has more than one.
                GuidanceFrom = i % 3 == 2 ? 0.2f : 0,
                Seed = (ulong)random.NextInt64(),
            };
            requests[i] = new StormRequest(request, i % 4 == 3 ? 2 : 1);
        }

        return requests;
    }
}
