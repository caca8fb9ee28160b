namespace MuseAtelier;

/// <summary>The device has not enough memory left: for what is asked, or because another program took it meanwhile.</summary>
public sealed class DeviceMemoryException(string found, Exception? inner = null)
    : MuseAtelierException(found, "enough free device memory", "Close other programs that use the device, give a smaller budget of video memory, or paint a smaller picture.", inner);
