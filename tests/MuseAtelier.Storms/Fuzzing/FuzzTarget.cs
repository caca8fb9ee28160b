using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Something that reads files or texts of anybody's making.</summary>
internal abstract class FuzzTarget : IDisposable
{
    /// <summary>The targets by the names that the command line has for them.</summary>
    public static IReadOnlyDictionary<string, Func<FuzzTarget>> All { get; } =
        new Dictionary<string, Func<FuzzTarget>>(StringComparer.Ordinal)
        {
            ["manifests"] = () => new ManifestTarget(),
            ["records"] = () => new RecordTarget(),
            ["checkpoints"] = () => new CheckpointTarget(),
            ["references"] = () => new ReferenceTarget(),
            ["pictures"] = () => new PictureTarget(),
            ["parameters"] = () => new ParametersTarget(),
            ["tokens"] = () => new TokensTarget(),
        };

    /// <summary>Files of the target.</summary>
    protected StormFolder Folder { get; } = new();

    /// <summary>Makes what is read: sound where the number is 0, damaged else.</summary>
    /// <param name="random">Where the damage comes from.</param>
    /// <param name="index">Number of the input.</param>
    /// <returns>The damaged bytes, for keeping.</returns>
    public abstract byte[] Prepare(Random random, int index);

    /// <summary>Reads what was prepared.</summary>
    /// <exception cref="MuseAtelierException">It is refused, which is right.</exception>
    public abstract void Read();

    /// <summary>Does more with what was read without an objection, such as painting with it; slow, and so not done for all.</summary>
    public virtual Task UseAsync() => Task.CompletedTask;

    public virtual void Dispose() => Folder.Dispose();
}
