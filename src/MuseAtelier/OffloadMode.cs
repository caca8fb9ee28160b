namespace MuseAtelier;

/// <summary>Where the denoising network's weights are between the steps.</summary>
public enum OffloadMode
{
    /// <summary>What is fastest within the budget.</summary>
    Auto,

    /// <summary>All of them stay in device memory.</summary>
    Resident,

    /// <summary>Those of every stage pass through a window of device memory, step by step; on a processor they are read where their file is mapped.</summary>
    Stream,

    /// <summary>
    /// Sessions that hold weights of their own take turns too: two are there at a time, and the next two are made ready meanwhile.
    /// The least memory, and slow.
    /// </summary>
    Sessions,
}
